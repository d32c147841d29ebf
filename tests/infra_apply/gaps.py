"""What terraform's AWS provider asks of AWS and moto does not know, or answers differently.

Each function closes gaps of one service, once, before the first call. What AWS does is said where it is done.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import Any
from urllib.parse import unquote

Tags = dict[str, str]


def close() -> None:
    """All of them."""
    for service in (
        *(_scalable_targets, _budgets, _queues, _services, _capacity_providers),
        *(_endpoint_services, _launch_templates, _rules_of_groups, _tls, _functions),
    ):
        service()


def _scalable_targets() -> None:
    """Scalable targets have tags, and the provider looks at them after each call."""
    from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Response

    tags: dict[str, Tags] = defaultdict(dict)
    register = Response.register_scalable_target

    def register_scalable_target(self: Any) -> str:
        answer = register(self)
        tags[json.loads(answer)["ScalableTargetARN"]].update(self._get_param("Tags", {}))
        return answer

    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"Tags": tags[self._get_param("ResourceARN")]})

    def tag_resource(self: Any) -> str:
        tags[self._get_param("ResourceARN")].update(self._get_param("Tags"))
        return "{}"

    _put(Response, register_scalable_target, list_tags_for_resource, tag_resource)


def _budgets() -> None:
    """Who is told of a budget can be asked for, and a budget has tags."""
    from moto.budgets.responses import BudgetsResponse as Response

    tags: dict[str, list[Tags]] = defaultdict(list)
    create = Response.create_budget

    def create_budget(self: Any) -> str:
        name = self._get_param("Budget")["BudgetName"]
        tags[f"arn:aws:budgets::{self.current_account}:budget/{name}"] = self._get_param("ResourceTags", [])
        return create(self)

    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"ResourceTags": tags[self._get_param("ResourceARN")]})

    def describe_subscribers_for_notification(self: Any) -> str:
        budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("BudgetName")]
        wanted = self._get_param("Notification")
        (found,) = [each.subscribers for each in budget.notifications if _is_same(each.details, wanted)]
        return json.dumps({"Subscribers": found})

    _put(Response, create_budget, list_tags_for_resource, describe_subscribers_for_notification)


def _is_same(notification: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """What a notification is known by."""
    by = ("NotificationType", "ComparisonOperator", "Threshold")
    return all(notification[key] == wanted[key] for key in by)


def _queues() -> None:
    """A queue says whose dead letters it takes, keeps what a call does not name, and gives JSON back as it was."""
    from moto.sqs.models import Queue

    set_attributes, known = Queue._set_attributes, vars(Queue)["attributes"].fget

    def _set_attributes(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        before = getattr(self, "_policy_json", None)
        set_attributes(self, attributes, now)
        if "Policy" not in attributes and before:
            self._policy_json = before

    def attributes(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = known(self)
        if not found["RedriveAllowPolicy"]:
            del found["RedriveAllowPolicy"]
        if redrive := found.get("RedrivePolicy"):
            found["RedrivePolicy"] = json.dumps(json.loads(redrive), separators=(",", ":"))
        return found

    _put(Queue, _set_attributes)
    Queue.attributes = property(attributes)  # type: ignore[assignment,method-assign] # ours in moto's place
    Queue.redrive_allow_policy = None  # type: ignore[attr-defined] # moto sets attributes by their names
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]


def _services() -> None:
    """A service keeps what it was made with: its capacity providers in place of a launch type, how it is deployed.

    A cluster that was deleted is in no list, and a task may have its memory as a whole, with none for its containers.
    """
    from moto.ecs.models import EC2ContainerServiceBackend as Backend
    from moto.ecs.responses import EC2ContainerServiceResponse as Response

    create = Response.create_service

    def create_service(self: Any) -> Any:
        answer = create(self)
        service: Any = answer._result["service"]  # type: ignore[index] # moto calls it an object
        if strategy := self._get_param("capacityProviderStrategy"):
            service.capacity_provider_strategy = [{"base": 0, **provider} for provider in strategy]
            service.launch_type = None
        service.deployment_configuration = self._get_param("deploymentConfiguration")
        service.availability_zone_rebalancing = self._get_param("availabilityZoneRebalancing")
        service.enable_ecs_managed_tags = self._get_param("enableECSManagedTags")
        return answer

    def list_clusters(self: Any) -> list[str]:
        return [cluster.arn for cluster in self.clusters.values() if cluster.status == "ACTIVE"]

    def _calculate_task_resource_requirements(_: Any, task_definition: Any) -> dict[str, Any]:
        """What moto looks for on the hosts of a cluster; on Fargate it looks for none."""
        return {"CPU": int(task_definition.cpu), "MEMORY": int(task_definition.memory), "PORTS": [], "PORTS_UDP": []}

    _put(Response, create_service)
    _put(Backend, list_clusters, _calculate_task_resource_requirements)


def _capacity_providers() -> None:
    """One that a cluster still has is not deleted.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCapacityProvider.html
    """
    from moto.ecs.exceptions import EcsClientException
    from moto.ecs.models import EC2ContainerServiceBackend as Backend

    delete = Backend.delete_capacity_provider

    def delete_capacity_provider(self: Any, name_or_arn: str) -> Any:
        name = name_or_arn.rpartition("/")[2]
        if any(name in (cluster.capacity_providers or ()) for cluster in self.clusters.values()):
            raise EcsClientException(f"The capacity provider {name} is in use by a cluster")
        return delete(self, name_or_arn)

    _put(Backend, delete_capacity_provider)


ZONES_WITH_ENDPOINTS = "bcdf"
"""Of the emulated region: as in AWS, not all."""


def _endpoint_services() -> None:
    """What endpoints there may be, and in which zones; moto knows a few services."""
    from moto.ec2.models.vpcs import VPCBackend as Backend

    services = ("sqs", "ecr.api", "ecr.dkr", "logs", "ecs", "ecs-agent", "ecs-telemetry", "lambda")

    def _collect_default_endpoint_services(account_id: str, region: str) -> list[dict[str, Any]]:
        return [
            {
                "AcceptanceRequired": False,
                "AvailabilityZones": [f"{region}{zone}" for zone in ZONES_WITH_ENDPOINTS],
                "BaseEndpointDnsNames": [f"{service}.{region}.vpce.amazonaws.com"],
                "ManagesVpcEndpoints": False,
                "Owner": account_id,
                "PrivateDnsName": f"{service}.{region}.amazonaws.com",
                "PrivateDnsNameVerificationState": "verified",
                "PrivateDnsNames": [{"PrivateDnsName": f"{service}.{region}.amazonaws.com"}],
                "ServiceId": f"vpce-svc-{number:017x}",
                "ServiceName": f"com.amazonaws.{region}.{service}",
                "ServiceType": [{"ServiceType": "Interface"}],
                "Tags": [],
                "VpcEndpointPolicySupported": True,
            }
            for number, service in enumerate(services)
        ]

    Backend._collect_default_endpoint_services = staticmethod(_collect_default_endpoint_services)  # type: ignore[method-assign] # ours in moto's place


def _launch_templates() -> None:
    """The tags of a launch template are its own, and no part of what instances are made from."""
    from moto.ec2.models.launch_templates import LaunchTemplateVersion as Version

    begin = Version.__init__

    def __init__(self: Any, template: Any, number: int, data: dict[str, Any], description: str) -> None:  # noqa: N807 # ours in moto's place
        kept = [tags for tags in data.pop("TagSpecifications", []) if tags["ResourceType"] != "launch-template"]
        begin(self, template, number, data | ({"TagSpecifications": kept} if kept else {}), description)

    _put(Version, __init__)


def _rules_of_groups() -> None:
    """A rule of a security group keeps its description, whatever it lets in or out: moto keeps that of addresses."""
    from moto.ec2.models.security_groups import SecurityGroupRule as Rule

    begin = Rule.__init__

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807 # ours in moto's place
        begin(self, *arguments, **named)
        whom = [by for by in arguments[5:8] if by]  # addresses, a group, or a list of prefixes
        self.said = whom[0].get("Description") if whom else None

    _put(Rule, __init__)
    Rule.description = property(lambda self: self.said)  # type: ignore[assignment,method-assign] # ours in moto's place


def _tls() -> None:
    """A bucket's policy may refuse what does not come by TLS; moto reads no conditions, and would refuse all.

    The emulator stands for an endpoint with TLS.
    """
    from moto.iam.access_control import IAMPolicyStatement as Statement

    judge = Statement.is_action_permitted

    def is_action_permitted(self: Any, *arguments: Any, **named: Any) -> Any:
        from moto.iam.access_control import PermissionResult

        if self._statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
            return PermissionResult.NEUTRAL
        return judge(self, *arguments, **named)

    _put(Statement, is_action_permitted)


def _functions() -> None:
    """A function keeps its log group and its dead-letter queue, and none is made of an image that is not there."""
    from orchestrator.local import emulation

    emulation._PACKAGES["lambda"] = "awslambda"
    os.environ["MOTO_LAMBDA_STUB_ECR"] = "false"
    from moto.awslambda.models import LambdaFunction as Function
    from moto.awslambda.responses import LambdaResponse as Response

    begin, known = Function.__init__, Function.get_configuration

    def __init__(self: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:  # noqa: N807 # ours in moto's place
        begin(self, account_id, spec, *arguments, **named)
        self.kept = {name: spec[name] for name in ("LoggingConfig", "DeadLetterConfig") if name in spec}

    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:
        kept: dict[str, Any] = self.kept
        return known(self, on_create) | kept

    def determine_resource(self: Any) -> str:
        """What leave is asked for; moto names none of its functions there."""
        name = unquote(self.path).partition("/functions/")[2].partition("/")[0].rpartition(":")[2]
        return f"arn:aws:lambda:{self.region}:{self.current_account}:function:{name}"

    _put(Function, __init__, get_configuration)
    Response._determine_resource = determine_resource  # type: ignore[attr-defined] # ours beside moto's


def _put(owner: type, *functions: Any) -> None:
    for function in functions:
        setattr(owner, function.__name__, function)
