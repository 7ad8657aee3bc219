"""Envoy runs from a template that is filled strictly."""

from pathlib import Path

import httpx
import pytest
from chassis.templates import TemplateNotFilled, rendered
from sandbox.commands import CommandFailed
from sandbox.servers.envoy import EnvoyServer

TEMPLATE = """
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: ${GATEWAY_ADMIN_PORT}}}
static_resources:
  listeners:
    - address: {socket_address: {address: 127.0.0.1, port_value: ${GATEWAY_PORT}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: gateway
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {prefix: /}
                          direct_response: {status: 200, body: {inline_string: "${GREETING}"}}
"""


def test_each_variable_is_replaced_by_its_value() -> None:
    assert rendered("port: ${PORT}, again ${PORT}, cost $5", {"PORT": "80"}) == "port: 80, again 80, cost $5"


@pytest.mark.parametrize(
    ("template", "variables", "named"),
    [
        ("${PORT}", {}, "PORT"),
        ("port", {"PORT": "80"}, "PORT"),
        ("${port}", {}, "without a name"),
        ("${PORT", {}, "without a name"),
        ("${PORT}", {"PORT": "80\nadmin: open"}, "line break"),
    ],
)
def test_a_template_that_is_not_filled_exactly_is_refused(template: str, variables: dict[str, str], named: str) -> None:
    with pytest.raises(TemplateNotFilled, match=named):
        rendered(template, variables)


@pytest.mark.servers
def test_envoy_serves_its_configuration_and_leaves_no_process(tmp_path: Path) -> None:
    with EnvoyServer(tmp_path, template=TEMPLATE, variables={"GREETING": "through the gate"}) as server:
        assert httpx.get(f"http://{server.address}/").text == "through the gate"
        record = server.process.record
    assert record is not None
    assert not record.is_running()
    assert not server.is_healthy()


@pytest.mark.servers
def test_a_configuration_that_envoy_refuses_is_not_started(tmp_path: Path) -> None:
    server = EnvoyServer(tmp_path, template=f"{TEMPLATE}no_such_field: 1\n", variables={"GREETING": "x"})
    with pytest.raises(CommandFailed, match="no_such_field"):
        server.start()
    assert not server.process.is_running()
