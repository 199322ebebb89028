"""Chat templates as models bring them, shortened in nothing that is rendered here, and what Go's form of each is.

Each form was rendered by Go's text/template, and equals what Jinja gives; the Modelfiles with them were read by Ollama's own parser.
"""

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI "
    "assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception("
    "'Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' "
    "+ message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
JOINED = (  # the system's message stands within the user's first turn
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ '[INST] ' + message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ ('' if loop.index0 == 1 and messages[0]['role'] == 'system' else '[INST] ') + "
    "message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
GO = {
    "SMOLLM2": '{{- range $i, $_ := .Messages }}{{ if and (eq $i 0) (ne .Role "system") }}<|im_start|>system\nYou are a helpful AI '
    "assistant named SmolLM, trained by Hugging Face<|im_end|>\n{{ end }}"
    '{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n'
    '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n{{ else if eq .Role "assistant" }}<|im_start|>assistant\n'
    "{{ .Content }}<|im_end|>\n{{ end }}{{ end }}<|im_start|>assistant\n",
    "LLAMA3": '{{- range $i, $_ := .Messages }}{{ if eq .Role "system" }}<|start_header_id|>system<|end_header_id|>\n\n{{ .Content }}'
    '<|eot_id|>{{ else if eq .Role "user" }}<|start_header_id|>user<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ else if eq .Role '
    '"assistant" }}<|start_header_id|>assistant<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ end }}{{ end }}<|start_header_id|>assistant'
    "<|end_header_id|>\n\n",
    "MISTRAL": '{{- range $i, $_ := .Messages }}{{ if eq .Role "user" }}[INST] {{ .Content }} [/INST]{{ else if eq .Role "assistant" }}'
    "{{ .Content }}</s>{{ end }}{{ end }}",
    "JOINED": '{{- range $i, $_ := .Messages }}{{ if eq .Role "system" }}[INST] {{ .Content }}\n\n{{ else if eq .Role "user" }}{{ if not '
    '(and (eq $i 1) (eq (index $.Messages 0).Role "system")) }}[INST] {{ end }}{{ .Content }} [/INST]{{ else if eq .Role "assistant" }} '
    "{{ .Content }}</s>{{ end }}{{ end }}",
}
#: what can't be said in Go's form -> a word of the reason
REFUSED = {
    "{{ strftime_now('%d %B %Y') }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}": "date",
    "{% for m in messages %}{{ '<first>' if loop.first else '<user>' }}{{ m.content }}{% endfor %}": "First",
    "{% for m in messages %}<{{ m.role }}>{{ m.content | upper }}</s>{% endfor %}": "message",
    "{% for m in messages %}<{{ m.role }} {{ m.content | length }}>{{ m.content }}</s>{% endfor %}": "",
    "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last else '...' }}</s>{% endfor %}": "message",
    "{% for m in messages %}<{{ m.role }}>{{ m.content.rstrip() }}</s>{% endfor %}": "Spaces",
    "{% for m in messages %}<{{ m.role }}>{{ m.content | e }}</s>{% endfor %}": "otherwise",
    "{{ raise_exception('not today') }}": "not today",
    "{% for": "",
}
