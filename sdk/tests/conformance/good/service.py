"""A good minimal verb that is a service: it says what there is to see, and is up until it is asked to stop."""


def run(step):
    step.ready(url="http://127.0.0.1:1", seen="stamped")
    while not step.wait_cancelled(0.05):
        pass
