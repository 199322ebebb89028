"""A good minimal importer: three keys, one of each kind."""


class Provider:
    def _table(self):
        from tunesmith_import.api import Table, rules

        known = {**rules("mapped", "heat"), **rules("no effect", "shelf", because="a"), **rules("refused", "steam", because="b")}
        return Table("oven", "1", ("heat",), known, {"heat": 1})

    def claim(self, configuration):
        return 1.0 if "heat" in configuration.names() else 0.0

    def keys(self):
        return {name: rule.kind for name, rule in self._table().rules.items()}

    def translate(self, configuration, options):
        from tunesmith_import.api import Account, Draft

        account, draft = Account(configuration, self._table()), Draft()
        draft.set("settings.learning_rate", account.get("heat"), account.take("heat", "settings.learning_rate"))
        account.close()
        return draft, account
