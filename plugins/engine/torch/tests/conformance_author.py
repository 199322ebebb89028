"""What the conformance kit can't know: pipelines in which the verbs compose providers of other plugins."""


def pipeline(case):
    """Of `train`, a training of a second or two with checkpoints, to be killed after one; of `merge`, one of a moment before it; of
    `show-tokens`, its rows."""
    if case.name == "show-tokens":
        shown = {"show-tokens": {}, "objective": "sft", "data": str(case.material("rows") / "rows.jsonl"), "settings": dict(case.settings)}
        return {"model": f"file://{case.material('taught')}", "steps": {"shown": shown}}
    steps = {"tune": _tuned(case, steps=40 if case.name == "train" else 2)}
    if case.name == "merge":
        steps["merged"] = {"merge": dict(case.settings), "from": "tune"}
    known = "blank" if case.name == "train" else "taught"  # what is to learn must have something to learn
    return {"model": f"file://{case.material(known)}", "steps": steps}


def _tuned(case, steps):
    settings = dict(case.settings) if case.name == "train" else {}
    return {
        "train": "sft", "adapter": "lora", "data": str(case.material("rows") / "rows.jsonl"),
        "settings": settings | {"num_train_epochs": steps, "save_steps": 10, "save_time_share": 1.0, "max_steps": steps, "batch_size": 2},
    }  # fmt: skip


def scene(case, setting, step, build):
    """Of rows with a picture, a sound and a video, what the model is given under the settings of training: sizes, seconds, how many."""
    import wave

    from PIL import Image

    from tunesmith.contracts import UserError
    from tunesmith_torch.data.multimodal.limits import MediaLimits
    from tunesmith_torch.data.multimodal.media_files import read_frames, read_image, read_sound

    case.directory.mkdir(parents=True, exist_ok=True)
    picture, sound, video = (case.directory / name for name in ("picture.png", "sound.wav", "video.gif"))
    Image.new("RGB", (64, 48)).save(picture)
    shown = [Image.new("RGB", (8, 8), (at * 8,) * 3) for at in range(30)]
    shown[0].save(video, save_all=True, append_images=shown[1:], duration=100)
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\1" * 24000)
    limits = MediaLimits.of(step.settings)
    try:
        seconds = len(read_sound({"type": "audio", "path": str(sound)}, 8000, limits)) / 8000
    except UserError as error:
        seconds = error.code
    frames = read_frames({"type": "video", "path": str(video)}, limits)
    return {"picture": read_image({"type": "image", "path": str(picture)}, limits).size, "sound": seconds, "frames": len(frames)}
