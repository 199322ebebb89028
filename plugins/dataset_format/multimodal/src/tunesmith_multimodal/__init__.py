"""Pictures and sounds with what is said of them as datasets: questions, captions, texts, places, speech. Standard library only."""
