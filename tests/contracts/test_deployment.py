"""The manifests are valid by schema, and every pod is as closed as the restricted standard asks."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "k8s" / "base"
KUBERNETES = "1.34"


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(BASE.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.safe_load_all(path.read_text()):
                yield f"{path.name}/{document['kind']}/{document['metadata']['name']}", document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in manifests():
        if document["kind"] in ("Deployment", "Job"):
            yield name, document["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", [name for name, _ in manifests()])
def test_a_manifest_is_valid_by_schema(name: str) -> None:
    kubernetes_validate.validate(dict(manifests())[name], KUBERNETES, strict=True)


@pytest.mark.parametrize("name", [name for name, _ in pods()])
def test_a_pod_meets_the_restricted_standard(name: str) -> None:
    pod = dict(pods())[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        closed = container["securityContext"]
        assert closed["allowPrivilegeEscalation"] is False
        assert closed["readOnlyRootFilesystem"] is True
        assert closed["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["cpu"]


def test_every_service_of_the_repository_is_deployed_with_probes() -> None:
    services = {path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").is_file()}
    deployed = {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]["containers"][0]
        for _, document in manifests()
        if document["kind"] == "Deployment"
    }
    assert services <= deployed.keys()
    for service in services:
        assert deployed[service]["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert deployed[service]["livenessProbe"]["httpGet"]["path"] == "/livez"


def roles() -> Iterator[tuple[dict[str, str], str, str]]:
    """The labels of each pod of a service, the service it runs, and its role."""
    for _, document in manifests():
        if document["kind"] == "Deployment":
            template = document["spec"]["template"]
            container = template["spec"]["containers"][0]
            told = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
            yield template["metadata"]["labels"], container["args"][0], told.get("THROUGHLINE_ROLE", "all")


def test_what_a_service_selects_answers_calls() -> None:
    for _, document in manifests():
        if document["kind"] == "Service":
            wanted = document["spec"]["selector"].items()
            found = [role for labels, _, role in roles() if wanted <= labels.items()]
            assert len(found) == 1, document["metadata"]["name"]
            assert found[0] in ("all", "calls"), document["metadata"]["name"]


def test_a_service_in_halves_has_both() -> None:
    halves: dict[str, list[str]] = {}
    for _, program, role in roles():
        halves.setdefault(program, []).append(role)
    assert {"all"} | {"calls", "work"} == {role for found in halves.values() for role in found}
    assert all(sorted(found) in (["all"], ["calls", "work"]) for found in halves.values()), halves


@pytest.mark.parametrize("name", ["claims", "intake"])
def test_the_half_that_fetches_files_by_sftp_reaches_port_22(name: str) -> None:
    policy = dict(manifests())["network.yaml/NetworkPolicy/sftp"]["spec"]
    (wanted,) = policy["podSelector"]["matchExpressions"]
    assert (wanted["key"], wanted["operator"]) == ("app.kubernetes.io/name", "In")
    assert name in wanted["values"]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "work"}
    assert policy["egress"] == [{"ports": [{"port": 22}]}]


def test_every_manifest_is_in_the_base() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")


def test_the_gateway_is_told_exactly_the_variables_of_its_template() -> None:
    wanted = set(re.findall(r"\$\{([A-Z0-9_]+)\}", (ROOT / "deploy" / "gateway" / "envoy.yaml").read_text()))
    told = next(d["data"] for n, d in manifests() if n == "configuration.yaml/ConfigMap/gateway")
    assert set(told) == wanted


def test_the_base_renders() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed here")
    rendered = subprocess.run([kubectl, "kustomize", str(BASE)], capture_output=True, text=True, check=False)
    assert rendered.returncode == 0, rendered.stderr
    assert "registry.example/throughline:0.1.0" in rendered.stdout
