"""The program that serves: OpenVINO's pipeline in a process, the default backend's OpenAI server before it."""
