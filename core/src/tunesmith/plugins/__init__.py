"""Plugins as static data: manifests, discovery, the registry of providers, policy. Nothing here imports a plugin."""

GROUP = "tunesmith.plugins"  #: the entry points by which plugins are found
KERNEL = "tunesmith-core"  #: the kernel's distribution, a plugin of itself
KERNEL_MODULE = "tunesmith.verbs.plugin"
