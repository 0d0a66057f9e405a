{{/*
A worker's pod. (dict "root" $ "component" "students|teachers" "isJob" true|false)
In a Job, code 0 is the end of its work: a student told to leave its node says 143 instead, and is started elsewhere.
*/}}
{{- define "limbeck.workerPod" -}}
{{- $root := .root -}}
{{- $values := get $root.Values .component -}}
{{- $isService := eq $root.Values.mode "service" -}}
{{- $hasGpu := gt (int $values.gpu.count) 0 -}}
{{- $isMany := eq $values.devices "all" -}}
{{- $kernels := ternary $root.Values.kernels.existingClaim "" $hasGpu -}}
{{- $context := dict "root" $root "component" .component "account" "worker" "role" "worker" "values" $values -}}
metadata:
  {{- include "limbeck.podMetadata" $context | nindent 2 }}
spec:
  {{- include "limbeck.podCommon" $context | nindent 2 }}
  {{- if .isJob }}
  restartPolicy: Never
  {{- end }}
  {{- with $values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "limbeck.image" (dict "root" $root "gpu" $hasGpu) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        - worker
        - --role={{ $values.role }}
        - --name=$(POD_NAME)
        {{- if $isMany }}
        # One process for each GPU, each with ports of its own choice.
        - --devices=all
        - --listen=$(POD_IP):0
        - --http=$(POD_IP):0
        {{- else }}
        - --listen=0.0.0.0:7080
        - --advertise=$(POD_IP):7080
        - --http=0.0.0.0:7081
        {{- end }}
        - --health=0.0.0.0:7082
        {{- if not (and $isService (include "limbeck.hasNats" $root)) }}
        - --coordinator={{ include "limbeck.coordinatorHost" $root }}:7070
        {{- end }}
        {{- if .isJob }}
        - --leave-code=143
        {{- end }}
        {{- if not $isService }}
        - --patience={{ $root.Values.job.patience }}
        - --alone-code=3
        {{- end }}
        {{- with include "limbeck.tlsArgs" $root | trim }}{{ . | nindent 8 }}{{ end }}
        {{- if $root.Values.auth.tokenKeySecret }}
        - --token-key=/token-key/key.pem
        - --revoked-tokens=/token-key/revoked
        {{- end }}
        {{- if $root.Values.auth.workerTokenSecret }}
        - --token-file=/token/token
        {{- end }}
        {{- if $root.Values.auth.httpTokenSecret }}
        - --http-token-file=/http-token/token
        {{- end }}
        - --output=json
      env:
        {{- include "limbeck.podEnv" $root | nindent 8 }}
        {{- if $hasGpu }}
        # One that finds no GPU, or not its libraries, ends and says so, whatever image it is of.
        - { name: LIMBECK_GPU, value: required }
        {{- end }}
        {{- if and $isService (include "limbeck.hasNats" $root) }}
        {{- with include "limbeck.natsEnv" (dict "root" $root "user" "worker") | trim }}{{ . | nindent 8 }}{{ end }}
        {{- end }}
        {{- with include "limbeck.depotEnv" $root | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with include "limbeck.s3Env" $root | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- if not $isMany }}
        - { name: grpc, containerPort: 7080 }
        - { name: http, containerPort: 7081 }
        {{- end }}
        - { name: health, containerPort: 7082 }
      # It has ports when its code is loaded. What it does with a model is the coordinator's to judge, by heartbeats.
      startupProbe:
        grpc: { port: 7082 }
        periodSeconds: 5
        failureThreshold: {{ div (add $values.startupSeconds 4) 5 }}
      # Between two jobs a process follows another, and the port is away for a while.
      livenessProbe:
        {{- if $isMany }}
        # Of several workers, one that lives is enough: their supervisor starts the others again.
        grpc: { port: 7082 }
        {{- else }}
        httpGet: { port: http, path: /healthz }
        {{- end }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 9
      # One that leaves says so.
      readinessProbe:
        grpc: { port: 7082 }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 3
      {{- with include "limbeck.preStop" $values | trim }}{{ . | nindent 6 }}{{ end }}
      {{- $gpu := ternary (dict $values.gpu.resource ($values.gpu.count | int)) dict $hasGpu }}
      resources:
        requests: {{- toYaml (merge dict $gpu (default dict $values.resources.requests)) | nindent 10 }}
        limits: {{- toYaml (merge dict $gpu (default dict $values.resources.limits)) | nindent 10 }}
      securityContext: {{- include "limbeck.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - { name: shm, mountPath: /dev/shm }
        - { name: scratch, mountPath: /tmp, subPath: tmp }
        - { name: scratch, mountPath: {{ $root.Values.image.cachePath }}, subPath: cache }
        {{- if $kernels }}
        - { name: kernels, mountPath: {{ $root.Values.image.cachePath }}/cuda }
        {{- end }}
        {{- if include "limbeck.sharesState" $root }}
        - { name: state, mountPath: /state }
        {{- end }}
        {{- if $root.Values.data.existingClaim }}
        - { name: data, mountPath: {{ $root.Values.data.mountPath }}, readOnly: true }
        {{- end }}
        {{- with include "limbeck.secretMounts" $context | trim }}{{ . | nindent 8 }}{{ end }}
  volumes:
    - name: shm
      emptyDir: { medium: Memory, sizeLimit: {{ $values.shmSize }} }
    - name: scratch
      emptyDir: { sizeLimit: {{ $values.scratchSize }} }
    {{- with $kernels }}
    - name: kernels
      persistentVolumeClaim: { claimName: {{ . }} }
    {{- end }}
    {{- if include "limbeck.sharesState" $root }}
    - name: state
      persistentVolumeClaim: { claimName: {{ include "limbeck.stateClaim" $root }} }
    {{- end }}
    {{- with $root.Values.data.existingClaim }}
    - name: data
      persistentVolumeClaim: { claimName: {{ . }}, readOnly: true }
    {{- end }}
    {{- with include "limbeck.secretVolumes" $context | trim }}{{ . | nindent 4 }}{{ end }}
{{- end -}}

{{/* Of a Job of workers. (dict "root" $ "component" …) */}}
{{- define "limbeck.workerJob" -}}
{{- $values := get .root.Values .component -}}
completionMode: Indexed
completions: {{ $values.replicas }}
parallelism: {{ $values.replicas }}
backoffLimitPerIndex: {{ .root.Values.students.backoffLimitPerIndex }}
{{- include "limbeck.podFailurePolicy" . }}
template:
  {{- include "limbeck.workerPod" (dict "root" .root "component" .component "isJob" true) | nindent 2 }}
{{- end -}}

{{/*
Being preempted, drained, told to leave (143) or to join again (75) is no failure. With another pod it would be the same with a
coordinator's wrong job file (2) or failed job (3), and with a worker that finds no coordinator (3); not with a worker that is
refused (2): it may be of the next version, and the coordinator not yet.
*/}}
{{- define "limbeck.podFailurePolicy" }}
podReplacementPolicy: Failed
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions: [{ type: DisruptionTarget, status: "True" }]
    - action: Ignore
      onExitCodes: { operator: In, values: [75, 143] }
    {{- if eq .component "coordinator" }}
    - action: FailJob
      onExitCodes: { operator: In, values: [2, 3] }
    {{- else if ne .root.Values.mode "service" }}
    - action: FailIndex
      onExitCodes: { operator: In, values: [3] }
    {{- end }}
{{- end }}

{{- define "limbeck.kueueLabels" -}}
{{- with .Values.kueue.queueName }}
kueue.x-k8s.io/queue-name: {{ . }}
{{- end }}
{{- with .Values.kueue.priorityClass }}
kueue.x-k8s.io/priority-class: {{ . }}
{{- end }}
{{- end -}}
