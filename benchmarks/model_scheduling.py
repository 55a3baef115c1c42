"""Hands all cases of one model to one xdist worker. Uses undocumented names of xdist, which
`tests/benchmarks/test_model_scheduling.py` checks."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from benchmarks.case_groups import group_cases
from benchmarks.plan import Plan


class ModelScheduling(LoadScopeScheduling):
    """Gives each free worker the heaviest group that is left (`benchmarks.case_groups`).

    A worker begins a case only when it knows the next one or that there is none. So it gets its next group when it has
    one case left, not when that has ended.

    Cases are known by their numbers, where xdist's scheduler knows them by their ids: of two with one id it would run
    one. `workqueue` and `assigned_work` hold, for each group, whether each of its cases has ended.
    """

    collection: list[str] | None
    workqueue: Any
    assigned_work: Any

    def __init__(self, config: pytest.Config, log: Any, plan: Plan) -> None:
        super().__init__(config, log)
        self._plan = plan

    def schedule(self) -> None:
        """Form the groups and give each worker one; later, as after a crash, give what is left to workers that are new.

        https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/scheduler/protocol.py
        """
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = list(next(iter(self.registered_collections.values())))
            groups = group_cases(self.collection, self._plan, len(self.nodes))
            self.workqueue.update((name, dict.fromkeys(cases, False)) for name, cases in groups.items())
            for node in self.nodes[: len(groups)]:
                self._assign_work_unit(node)
        for node in self.nodes:
            self._reschedule(node)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """Note that a case has ended, and give its worker more if it needs it."""
        for unit in self.assigned_work[node].values():
            if item_index in unit:
                unit[item_index] = True
        self._reschedule(node)

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker that has ended. Return the case in which it crashed, which is not run again; the rest of its
        groups are."""
        units = self.assigned_work.pop(node)
        unfinished = [(unit, number) for unit in units.values() for number, done in unit.items() if not done]
        if not unfinished:
            return None
        unit, crashed = unfinished[0]
        unit[crashed] = True
        self.workqueue.update((name, unit) for name, unit in units.items() if not all(unit.values()))
        for other in self.nodes:
            self._reschedule(other)
        return self.registered_collections[node][crashed]

    def _assign_work_unit(self, node: Any) -> None:
        name, unit = self.workqueue.popitem(last=False)
        self.assigned_work[node][name] = unit
        node.send_runtest_some([number for number, done in unit.items() if not done])

    def _reschedule(self, node: Any) -> None:
        if node.shutting_down or node not in self.registered_collections:
            return
        while self.workqueue and self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)
        if not self.workqueue:
            node.shutdown()  # at the end of what it has
