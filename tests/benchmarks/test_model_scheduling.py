"""`-n N`: the cases of one model stay on one worker, the heaviest model goes first, and nothing is run twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from benchmarks.case_groups import CaseNames, group_cases
from benchmarks.model_scheduling import ModelScheduling
from benchmarks.plan import Plan
from models.model_registry import MODELS, ModelSpec

pytestmark = pytest.mark.quick
GRID = ("zero_shot", "attention", "intervene")


def plan_of(*models: str, stages: tuple[str, ...] = GRID) -> Plan:
    return Plan(tuple(MODELS[name] for name in models), ("clean", "inf", "rcs"), stages)


def cases_of(plan: Plan) -> list[str]:
    """The ids of the grid's cases in the order of a run."""
    return [
        f"benchmarks/test_{stage}.py::test_{stage}[{cell.id}]"
        for spec in plan.models
        for stage in plan.stages
        for cell in plan.cells(stage, spec)
    ]


class Worker:
    """A worker as xdist's controller sees it; `next_case` runs a case once it knows what follows."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.queue: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.queue += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    def next_case(self) -> int | None:
        return self.queue.pop(0) if len(self.queue) > 1 or (self.queue and self.shutting_down) else None


def scheduling(plan: Plan, cases: list[str], workers: list[Worker]) -> Any:
    config: Any = SimpleNamespace(getvalue=lambda name: ["popen"] * len(workers), option=SimpleNamespace())
    scheduler: Any = ModelScheduling(config, SimpleNamespace(loadscopesched=lambda *words: None), plan)
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        scheduler.add_node_collection(worker, cases)
    scheduler.schedule()
    return scheduler


def run(scheduler: Any, workers: list[Worker], cases: list[str]) -> dict[str, list[str]]:
    """Run cases in turn until no worker has any; return those of each worker."""
    ran: dict[str, list[str]] = {worker.gateway.id: [] for worker in workers}
    busy = True
    while busy:
        busy = False
        for worker in workers:
            number = worker.next_case()
            if number is not None:
                busy = True
                ran[worker.gateway.id].append(cases[number])
                scheduler.mark_test_complete(worker, number)
    assert scheduler.tests_finished
    return ran


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_no_two_workers_have_cases_of_one_model(workers: int) -> None:
    plan = plan_of("llama", "diffllama", "llama:1", "diffllama:1", stages=("zero_shot",))
    cases, nodes = cases_of(plan), [Worker(f"gw{number}") for number in range(workers)]
    ran = run(scheduling(plan, cases, nodes), nodes, cases)
    names = CaseNames(plan)
    models = [{names.read(case) for case in of_worker} for of_worker in ran.values()]
    specs = [{case.spec for case in of_worker if case} for of_worker in models]
    assert all(specs)
    assert sum(map(len, specs)) == len(plan.models)
    assert sorted(case for of_worker in ran.values() for case in of_worker) == sorted(cases)


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_case_runs_once_however_few_there_are(count: int, workers: int) -> None:
    """Also where each worker would wait for a case to follow its last one."""
    plan = plan_of("llama", "diffllama", "llama:1")
    cases = [*cases_of(plan), "tests/test_a.py::test_b", "tests/test_a.py::test_c[x]"][-count:]
    nodes = [Worker(f"gw{number}") for number in range(workers)]
    ran = run(scheduling(plan, cases, nodes), nodes, cases)
    assert sorted(case for of_worker in ran.values() for case in of_worker) == sorted(cases)


def test_two_cases_of_one_id_both_run() -> None:
    """Files outside the project have no path in their ids."""
    plan, cases, nodes = plan_of("llama"), ["::test_a[0]", "::test_a[0]"], [Worker("gw0"), Worker("gw1")]
    ran = run(scheduling(plan, cases, nodes), nodes, cases)
    assert [case for of_worker in ran.values() for case in of_worker] == cases


def test_a_model_and_its_tuned_version_stay_together() -> None:
    plan = plan_of("llama", "diffllama", stages=("zero_shot", "sft", "attention"))
    cases = cases_of(plan)
    groups = group_cases(cases, plan, workers=8)
    assert set(groups) == {"llama", "diffllama"}
    assert any("[llama+sft-" in cases[number] for number in groups["llama"])


def test_the_model_with_the_most_to_do_goes_first() -> None:
    """The first replicate goes through all stages, the others through one."""
    plan = plan_of("llama:1", "llama", "diffllama", "diffllama:1")
    assert set(list(group_cases(cases_of(plan), plan, workers=2))[:2]) == {"llama", "diffllama"}


def test_the_larger_of_two_models_goes_first(tmp_path: Any) -> None:
    specs = []
    for name, size in (("small", 10), ("large", 1000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(bytes(size))
        specs.append(ModelSpec(name, str(tmp_path / name)))
    plan = Plan(tuple(specs), ("clean", "inf"), ("zero_shot",))
    assert list(group_cases(cases_of(plan), plan, workers=2)) == ["large", "small"]


def test_cases_stay_in_their_order() -> None:
    plan = plan_of("llama", "diffllama")
    for group in group_cases(cases_of(plan), plan, workers=4).values():
        assert group == sorted(group)


def test_with_fewer_models_than_workers_each_model_is_divided() -> None:
    plan = plan_of("llama", "diffllama")
    cases = cases_of(plan)
    groups = group_cases(cases, plan, workers=4)
    assert len(groups) == 4
    for group in groups.values():  # what was written in the one stage is read in the other
        stages = {cases[number].partition("::test_")[2].partition("[")[0] for number in group}
        assert len({"zero_shot", "intervene"} & stages) in (0, 2)
    assert len(group_cases(cases_of(plan), plan, workers=3)) == 2  # each model stays whole: no worker would be saved
    alone = plan_of("llama", "diffllama", stages=("zero_shot",))
    assert len(group_cases(cases_of(alone), alone, workers=100)) == 6


def test_with_fine_tuning_no_model_is_divided() -> None:
    plan = plan_of("llama", stages=("zero_shot", "sft"))
    assert list(group_cases(cases_of(plan), plan, workers=4)) == ["llama"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("llama-inf-zero_shot", "llama"),
        ("diffllama-inf-zero_shot", "diffllama"),
        ("llama+sft-inf-attention", "llama"),
        ("llama-needle-attention", "llama"),
        ("my-set-llama-inf-zero_shot-2", "llama"),
        ("llama", None),
        ("llama-3", None),
        ("lama-inf-zero_shot", None),
    ],
)
def test_the_model_of_a_case_is_read_from_its_id(parameters: str, expected: str | None) -> None:
    case = CaseNames(plan_of("llama", "diffllama")).read(f"a/test_b.py::test_c[{parameters}]")
    assert (case.spec.name if case else None) == expected


def test_of_two_names_the_longer_one_is_meant() -> None:
    specs = (ModelSpec("mine", "a"), ModelSpec("mine-large", "b"), ModelSpec("große", "c"))
    names = CaseNames(Plan(specs, ("clean", "inf"), ("zero_shot",)))
    for name in ("mine", "mine-large", "große"):
        escaped = name.encode("unicode_escape").decode()
        for dataset in ("inf", "other"):
            case = names.read(f"test_zero_shot.py::test_zero_shot[{escaped}-{dataset}-zero_shot]")
            assert case is not None
            assert case.spec.name == name


def test_a_crash_costs_one_case_and_the_rest_of_the_model_goes_on() -> None:
    plan = plan_of("llama", "diffllama", stages=("zero_shot",))
    cases, nodes = cases_of(plan), [Worker("gw0"), Worker("gw1")]
    scheduler = scheduling(plan, cases, nodes)
    crashed = cases[nodes[0].queue[0]]
    assert scheduler.remove_node(nodes[0]) == crashed
    fresh = Worker("gw2")
    scheduler.add_node(fresh)
    scheduler.add_node_collection(fresh, cases)
    scheduler.schedule()
    ran = run(scheduler, [nodes[1], fresh], cases)
    assert sorted(case for of_worker in ran.values() for case in of_worker) == sorted(set(cases) - {crashed})


def test_xdist_has_the_names_that_this_relies_on() -> None:
    """The canary: what `ModelScheduling` overrides or reads is still what xdist's own scheduler uses."""
    config: Any = SimpleNamespace(getvalue=lambda name: ["popen"])
    scheduler: Any = LoadScopeScheduling(config)
    for name in ("collection", "workqueue", "assigned_work", "registered_collections", "nodes"):
        assert hasattr(scheduler, name), f"xdist's scheduler has no `{name}`: change benchmarks.model_scheduling"
    for name in (
        "_assign_work_unit",
        "mark_test_complete",
        "_pending_of",
        "_reschedule",
        "_check_nodes_have_same_collection",
        "remove_node",
        "schedule",
    ):
        assert callable(getattr(scheduler, name, None)), (
            f"xdist's scheduler has no method `{name}`: change benchmarks.model_scheduling"
        )
