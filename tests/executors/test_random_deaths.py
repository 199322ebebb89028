"""Whatever dies at whatever moment: the artifact is that of an undisturbed run, it is committed once, and nothing is left running.

