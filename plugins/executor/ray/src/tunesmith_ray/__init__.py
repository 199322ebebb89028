"""The executor `ray`: steps in placement groups of a Ray cluster."""
