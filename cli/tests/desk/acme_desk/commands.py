"""A command of the plugin's own."""


def desk(arguments: list[str]) -> int:
    print("the desk has", *arguments)
    return len(arguments)
