"""deploy/ agrees with the processor: routes, commands, exit codes, times, alerts."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from stripe_connector.http.health_routes import HealthRoutes, Readiness
from stripe_connector.http.metrics_routes import PATH as METRICS
from stripe_connector.ops.reconcile.command import reconcile
from stripe_connector.settings import load_settings, variables
from tests.unit.repository.test_connect import REQUIRED

DEPLOY = Path(__file__).parents[3] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"


def resources() -> dict[str, Any]:
    """Every resource of the base by its kind; there is one of each."""
    base = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    files = {each.name for each in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(base["resources"]) == files
    found = [
        document
        for file in base["resources"]
        for document in yaml.safe_load_all((KUBERNETES / file).read_text())
    ]
    by_kind = {each["kind"]: each for each in found}
    assert len(by_kind) == len(found)
    return by_kind


def pods() -> dict[str, Any]:
    """The pods by the kind of what starts them."""
    found = resources()
    return {
        "Deployment": found["Deployment"]["spec"]["template"],
        "Job": found["Job"]["spec"]["template"],
        "CronJob": found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"],
    }


def test_the_base_has_all_that_a_deployment_needs() -> None:
    assert resources().keys() == {
        "ServiceAccount",
        "Deployment",
        "Service",
        "Ingress",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "PodMonitor",
        "CronJob",
        "Job",
    }
    assert {each["metadata"]["namespace"] for each in resources().values()} == {"stripe-connector"}


def test_whoever_selects_pods_selects_those_of_the_deployment() -> None:
    found = resources()
    labels = pods()["Deployment"]["metadata"]["labels"]
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["PodMonitor"]["spec"]["selector"]["matchLabels"],
        *(
            each["labelSelector"]["matchLabels"]
            for each in pods()["Deployment"]["spec"]["topologySpreadConstraints"]
        ),
    ]
    assert all(each == labels for each in selectors)
    jobs = (pods()["Job"], pods()["CronJob"])
    assert all(each["metadata"]["labels"] != labels for each in jobs)
    policy = found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]
    assert all(policy.items() <= each["metadata"]["labels"].items() for each in pods().values())


def test_probes_and_metrics_are_routes_that_exist() -> None:
    [container] = pods()["Deployment"]["spec"]["containers"]
    probed = {
        container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert probed <= {endpoint.path for endpoint in HealthRoutes(Readiness()).routes()}
    [endpoint] = resources()["PodMonitor"]["spec"]["podMetricsEndpoints"]
    assert endpoint["path"] == METRICS
    assert endpoint["authorization"]["credentials"]["key"] in {each.name for each in variables()}
    assert {"targetLabel": "job", "replacement": "stripe-connector"} in endpoint["relabelings"]


def test_no_call_is_cut_by_a_rollout() -> None:
    spec = resources()["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in spec  # the autoscaler's
    assert resources()["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2
    settings = load_settings(REQUIRED)
    stop = settings.shutdown_drain_s + settings.shutdown_grace_s
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > stop


@pytest.mark.parametrize("kind", ["Deployment", "Job", "CronJob"])
def test_no_pod_may_more_than_it_needs(kind: str) -> None:
    spec = pods()[kind]["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
        assert "env" not in container  # no value of a secret in a manifest


def test_what_runs_daily_is_reconcile_with_options_that_it_has() -> None:
    options = {option for parameter in reconcile.params for option in parameter.opts}
    [container] = pods()["CronJob"]["spec"]["containers"]
    unit = (DEPLOY / "systemd/stripe-connector-reconcile.service").read_text()
    for words in (container["args"], unit.replace("\\\n", "").split("main.py ")[1].split()):
        assert words[0] == "reconcile"
        assert {word for word in words if word.startswith("--")} & options >= {"--apply"}
    named = set(re.findall(r"--[a-z-]+", " ".join(container["args"])))
    assert named <= options


def test_systemd_waits_and_does_not_repeat_what_cannot_start() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have cases
    unit.read(DEPLOY / "systemd/stripe-connector.service")
    service = unit["Service"]
    settings = load_settings(REQUIRED)
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["TimeoutStopSec"]) > settings.shutdown_drain_s + settings.shutdown_grace_s
    assert (DEPLOY / "systemd/stripe-connector-reconcile.timer").exists()
