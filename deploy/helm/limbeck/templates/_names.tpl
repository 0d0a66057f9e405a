{{- define "limbeck.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* 30 characters leave room for what is appended, by JobSet and Jobs, too: names of pods have 63 at most. */}}
{{- define "limbeck.fullname" -}}
{{- $name := include "limbeck.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "limbeck.cluster" -}}
{{- default (replace "." "-" .Release.Name) .Values.cluster -}}
{{- end -}}

{{- define "limbeck.selector" -}}
app.kubernetes.io/name: {{ include "limbeck.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of a component: (dict "root" $ "component" "coordinator"). */}}
{{- define "limbeck.componentSelector" -}}
{{ include "limbeck.selector" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "limbeck.labels" -}}
{{ include "limbeck.componentSelector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* (dict "root" $ "gpu" true|false) */}}
{{- define "limbeck.image" -}}
{{- $image := .root.Values.image -}}
{{- $tag := default .root.Chart.AppVersion $image.tag -}}
{{- if and .gpu $image.gpuDigest -}}
{{ $image.repository }}@{{ $image.gpuDigest }}
{{- else if .gpu -}}
{{ $image.repository }}:{{ $tag }}{{ $image.gpuTagSuffix }}
{{- else if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "component" …): coordinator, worker or nats. */}}
{{- define "limbeck.serviceAccount" -}}
{{- if .root.Values.serviceAccount.create -}}
{{ include "limbeck.fullname" .root }}-{{ .component }}
{{- else -}}
{{ .root.Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- define "limbeck.coordinatorHost" -}}
{{ include "limbeck.fullname" . }}-coordinator
{{- end -}}

{{- define "limbeck.natsHost" -}}
{{ include "limbeck.fullname" . }}-nats
{{- end -}}

{{/* The Secret with the passwords of the chart's own NATS. */}}
{{- define "limbeck.natsUsers" -}}
{{ default (printf "%s-nats-users" (include "limbeck.fullname" .)) .Values.nats.auth.existingSecret }}
{{- end -}}

{{/* Not empty where there is a NATS. */}}
{{- define "limbeck.hasNats" -}}
{{- with .Values.nats }}{{ if or .enabled .external.urls .external.urlSecret }}yes{{ end }}{{ end -}}
{{- end -}}

{{- define "limbeck.hasTls" -}}
{{- if ne .Values.tls.mode "none" }}yes{{ end -}}
{{- end -}}

{{/* Not empty where students are a JobSet. */}}
{{- define "limbeck.isJobSet" -}}
{{- if or (eq .Values.students.kind "jobset") (and (eq .Values.students.kind "auto") (.Capabilities.APIVersions.Has "jobset.x-k8s.io/v1alpha2")) }}yes{{ end -}}
{{- end -}}

{{/* Not empty where the pods see one folder, /state. */}}
{{- define "limbeck.sharesState" -}}
{{- if eq .Values.storage.kind "volume" }}yes{{ end -}}
{{- end -}}

{{- define "limbeck.stateClaim" -}}
{{ default (printf "%s-state" (include "limbeck.fullname" .)) .Values.storage.volume.existingClaim }}
{{- end -}}

{{/* The depot's URL; empty where the state is shared. */}}
{{- define "limbeck.depot" -}}
{{- $cluster := include "limbeck.cluster" . -}}
{{- if eq .Values.storage.kind "s3" -}}
s3://{{ .Values.storage.s3.bucket }}/{{ default $cluster .Values.storage.s3.prefix }}
{{- else if eq .Values.storage.kind "nats" -}}
{{- if .Values.nats.enabled -}}
nats://{{ include "limbeck.natsHost" . }}:4222/{{ $cluster }}
{{- else -}}
{{- $hosts := list -}}
{{- range .Values.nats.external.urls }}{{ $hosts = append $hosts (regexReplaceAll "^[a-z]+://" . "") }}{{ end -}}
{{ regexFind "^[a-z]+" (first .Values.nats.external.urls) }}://{{ join "," $hosts }}/{{ $cluster }}
{{- end -}}
{{- end -}}
{{- end -}}
