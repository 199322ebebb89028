"""What every objective of pairs is, but for its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith_data.api import Row
from tunesmith_pairs.rows import encode_pair
from tunesmith_pairs.signs import signs
from tunesmith_torch.api import ChatEncoder, Group


class PairObjective:
    """Two sequences a row, chosen then rejected; a pair counts as one, however long it is."""

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """
        Raises:
            UserError: TS-DATA-037 when an answer has nothing of the assistant's; TS-DATA-082 when the two are the same.
        """
        return encode_pair(row, chat)

    def weight(self, group: Group) -> float:
        return 1.0

    def warnings(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        return signs(history)
