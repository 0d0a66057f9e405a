{{- define "limbeck.natsConf" -}}
{{- $name := include "limbeck.natsHost" . -}}
{{- $values := .Values.nats -}}
{{- $cluster := include "limbeck.cluster" . -}}
server_name: $POD_NAME
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"
pid_file: /data/nats.pid
# Results of a submission, and job files with their code.
max_payload: 1MB
lame_duck_grace_period: 2s
lame_duck_duration: 30s
jetstream {
  store_dir: /data
  max_memory_store: 64MB
  max_file_store: {{ include "limbeck.jetStreamMegabytes" $values.size }}MB
}
# Coordinators write what decides: journals, events, the lease. Workers and clients are in an account of their own, into
# which two questions, the news of the leader and live events are let: within one account whoever may ask anything has
# the answer put wherever they say, into a journal, too. Checkpoints are a third: who reads objects may make consumers.
accounts {
  COORDINATORS {
    jetstream: enabled
    users: [{ user: coordinator, password: $COORDINATOR_PASSWORD }]
    exports: [
      { service: "$JS.API.INFO", accounts: [FOLLOWERS] }
      { service: "$JS.API.STREAM.MSG.GET.KV_limbeck-{{ $cluster }}", accounts: [FOLLOWERS] }
      { stream: "limbeck.{{ $cluster }}.leader", accounts: [FOLLOWERS] }
      { stream: "limbeck.{{ $cluster }}.events.>", accounts: [FOLLOWERS] }
    ]
  }
  FOLLOWERS {
    imports: [
      { service: { account: COORDINATORS, subject: "$JS.API.INFO" } }
      { service: { account: COORDINATORS, subject: "$JS.API.STREAM.MSG.GET.KV_limbeck-{{ $cluster }}" } }
      { stream: { account: COORDINATORS, subject: "limbeck.{{ $cluster }}.leader" } }
      { stream: { account: COORDINATORS, subject: "limbeck.{{ $cluster }}.events.>" } }
    ]
    default_permissions: {
      publish: ["$JS.API.INFO", "$JS.API.STREAM.MSG.GET.KV_limbeck-{{ $cluster }}"]
      subscribe: ["limbeck.{{ $cluster }}.leader", "limbeck.{{ $cluster }}.events.>", "_INBOX.>"]
    }
    users: [{ user: worker, password: $WORKER_PASSWORD }, { user: client, password: $CLIENT_PASSWORD }]
  }
  DEPOT {
    {{- if eq .Values.storage.kind "nats" }}
    # Full, it takes nothing more, and journals have room. All servers' copies count: of several servers it is what fills one of
    # them at the most, however few copies somebody makes, for journals go on without one.
    jetstream: { max_file: {{ mul (include "limbeck.depotMegabytes" .) (min 2 $values.replicas) }}MB }
    {{- end }}
    users: [{ user: depot, password: $DEPOT_PASSWORD }]
  }
}
{{- if gt (int $values.replicas) 1 }}
cluster {
  name: {{ $name }}
  listen: "0.0.0.0:6222"
  routes: [
    {{- range $index := until (int $values.replicas) }}
    "nats://{{ $name }}-{{ $index }}.{{ $name }}-routes:6222"
    {{- end }}
  ]
}
{{- end }}
{{- end -}}

{{/* Of a size such as 10Gi. */}}
{{- define "limbeck.megabytes" -}}
{{ mul (regexFind "^[0-9]+" . | int) (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[A-Za-z]+$" .)) }}
{{- end -}}

{{/* What JetStream may have of a claim: nine tenths. */}}
{{- define "limbeck.jetStreamMegabytes" -}}
{{ div (mul (include "limbeck.megabytes" .) 9) 10 }}
{{- end -}}

{{/* What checkpoints and models may have of it, on each server. */}}
{{- define "limbeck.depotMegabytes" -}}
{{- with .Values.nats -}}
{{ sub (include "limbeck.jetStreamMegabytes" .size) (include "limbeck.megabytes" .journalSize) }}
{{- end -}}
{{- end -}}
