# A job for Nomad: `nomad job run nomad.hcl`. The catalogue is the Consul of each host, at the host's address.
job "hello" {
  type = "service"

  update {
    max_parallel     = 1
    canary           = 1
    auto_promote     = true
    auto_revert      = true
    health_check     = "checks"
    min_healthy_time = "5s"
  }

  group "backend" {
    count = 2

    network {
      port "http" {
        to = 8080
      }
      port "telemetry" {
        to = 9090
      }
    }

    service {
      name     = "hello-backend"
      provider = "nomad"
      port     = "telemetry"

      check {
        type     = "http"
        path     = "/readyz"
        interval = "5s"
        timeout  = "2s"
      }
    }

    task "backend" {
      driver = "docker"

      # Longer than a stop may take. The drain is the program's own: no shutdown_delay.
      kill_signal  = "SIGTERM"
      kill_timeout = "10s"

      config {
        image           = "hello-backend:1"
        ports           = ["http", "telemetry"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/run"
        }
      }

      env {
        CONSUL = "${attr.unique.network.ip-address}:8500"

        # Others reach it at a port of the host.
        PORT       = "${NOMAD_HOST_PORT_http}"
        INTERFACES = "static:${NOMAD_HOST_IP_http}"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }

  group "front" {
    count = 1

    network {
      port "http" {
        static = 8080
        to     = 8080
      }
      port "telemetry" {
        to = 9090
      }
    }

    service {
      name     = "hello-front"
      provider = "nomad"
      port     = "telemetry"

      check {
        type     = "http"
        path     = "/readyz"
        interval = "5s"
        timeout  = "2s"
      }
    }

    # Its port of the host is taken until the old one has gone: no canary.
    update {
      max_parallel = 1
      canary       = 0
      health_check = "checks"
    }

    task "front" {
      driver = "docker"

      kill_signal  = "SIGTERM"
      kill_timeout = "10s"

      config {
        image           = "hello-front:1"
        ports           = ["http", "telemetry"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/run"
        }
      }

      env {
        CONSUL     = "${attr.unique.network.ip-address}:8500"
        PORT       = "${NOMAD_HOST_PORT_http}"
        INTERFACES = "static:${NOMAD_HOST_IP_http}"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
