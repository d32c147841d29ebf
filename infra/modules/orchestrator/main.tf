data "aws_region" "current" {}

# Started by hand, one task for each run. Nothing runs, and nothing costs, before that.
resource "aws_ecs_task_definition" "orchestrator" {
  family                   = "${var.name}-orchestrator"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn

  runtime_platform {
    cpu_architecture        = var.architecture == "arm64" ? "ARM64" : "X86_64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "orchestrator"
    image                  = var.image
    essential              = true
    command                = ["orchestrator", "start"]
    stopTimeout            = 120
    readonlyRootFilesystem = true
    privileged             = false
    environment = [for variable, value in merge(
      {
        AWS_REGION  = data.aws_region.current.name
        LOG_FORMAT  = "json"
        METRICS_DIR = "/tmp/out"
        # The task's disk goes with the task: its metrics file is copied to the bucket while it grows.
        METRICS_SYNC_SECONDS = "10"
      },
      var.environment,
    ) : { name = variable, value = value }]
    mountPoints     = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    portMappings    = []
    systemControls  = []
    volumesFrom     = []
    linuxParameters = { capabilities = { add = [], drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = var.log_group_name
        "awslogs-region"        = data.aws_region.current.name
        "awslogs-stream-prefix" = "orchestrator"
      }
    }
  }])
}
