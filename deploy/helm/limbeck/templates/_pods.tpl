{{/* What every container of Limbeck may: nothing. */}}
{{- define "limbeck.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/*
Certificates, one Secret for each role (dict "root" $ "role" "coordinator|worker|client").
All that says how an identity is written is here and in certificates.yaml.
*/}}
{{- define "limbeck.tlsSecret" -}}
{{- if eq .root.Values.tls.mode "existing" -}}
{{ get .root.Values.tls.existing .role }}
{{- else -}}
{{ include "limbeck.fullname" .root }}-{{ .role }}-tls
{{- end -}}
{{- end -}}

{{- define "limbeck.tlsArgs" -}}
{{- if include "limbeck.hasTls" . }}
- --tls-ca=/tls/ca.crt
- --tls-cert=/tls/tls.crt
- --tls-key=/tls/tls.key
{{- else }}
- --insecure
{{- end }}
{{- end -}}

{{/* Where NATS is, and as whom it is asked. (dict "root" $ "user" "coordinator|worker|client") */}}
{{- define "limbeck.natsEnv" -}}
{{- $external := .root.Values.nats.external -}}
{{- if .root.Values.nats.enabled }}
- { name: LIMBECK_NATS, value: {{ printf "nats://%s:4222" (include "limbeck.natsHost" .root) | quote }} }
- { name: LIMBECK_NATS_USER, value: {{ .user }} }
- name: LIMBECK_NATS_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "limbeck.natsUsers" .root }}, key: {{ .user }} } }
{{- else if $external.urlSecret }}
- name: LIMBECK_NATS
  valueFrom: { secretKeyRef: { name: {{ $external.urlSecret }}, key: url } }
{{- else if $external.urls }}
- { name: LIMBECK_NATS, value: {{ join "," $external.urls | quote }} }
{{- end }}
{{- end -}}

{{/* Of a depot in the chart's own NATS: an account beside that of the journals. */}}
{{- define "limbeck.depotEnv" -}}
{{- if and .Values.nats.enabled (eq .Values.storage.kind "nats") }}
- { name: LIMBECK_NATS_DEPOT_USER, value: depot }
- name: LIMBECK_NATS_DEPOT_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "limbeck.natsUsers" . }}, key: depot } }
{{- end }}
{{- end -}}

{{- define "limbeck.hasNatsCreds" -}}
{{- if and (not .Values.nats.enabled) .Values.nats.external.credsSecret }}yes{{ end -}}
{{- end -}}

{{- define "limbeck.clusterEnv" -}}
- { name: LIMBECK_CLUSTER, value: {{ include "limbeck.cluster" . | quote }} }
{{- if include "limbeck.hasNatsCreds" . }}
- { name: LIMBECK_NATS_CREDS, value: /nats/user.creds }
{{- end }}
{{- if include "limbeck.hasNatsCa" . }}
- { name: LIMBECK_NATS_CA, value: /nats-ca/ca.crt }
{{- end }}
{{- end -}}

{{- define "limbeck.hasNatsCa" -}}
{{- if and (not .Values.nats.enabled) .Values.nats.external.caSecret }}yes{{ end -}}
{{- end -}}

{{- define "limbeck.podEnv" -}}
{{- include "limbeck.clusterEnv" . }}
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end -}}

{{- define "limbeck.s3Env" -}}
{{- with .Values.storage }}{{ if eq .kind "s3" }}
- { name: AWS_REGION, value: {{ .s3.region | quote }} }
{{- with .s3.endpoint }}
- { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
{{- end }}
{{- with .s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_ACCESS_KEY_ID } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_SECRET_ACCESS_KEY } }
{{- end }}
{{- end }}{{ end }}
{{- end -}}

{{/* Secrets are mounted as files: an environment can be read by children and in dumps. (dict "root" $ "role" …) */}}
{{- define "limbeck.secretVolumes" -}}
{{- if include "limbeck.hasTls" .root }}
- name: tls
  secret: { secretName: {{ include "limbeck.tlsSecret" . }}, defaultMode: 0440 }
{{- end }}
{{- if include "limbeck.hasNatsCreds" .root }}
- name: nats-creds
  secret: { secretName: {{ .root.Values.nats.external.credsSecret }}, defaultMode: 0440 }
{{- end }}
{{- if include "limbeck.hasNatsCa" .root }}
- name: nats-ca
  secret: { secretName: {{ .root.Values.nats.external.caSecret }}, items: [{ key: ca.crt, path: ca.crt }], defaultMode: 0440 }
{{- end }}
{{- $auth := .root.Values.auth }}
{{- if and $auth.httpTokenSecret (ne .role "client") }}
- name: http-token
  secret: { secretName: {{ $auth.httpTokenSecret }}, defaultMode: 0440 }
{{- end }}
{{- if and $auth.tokenKeySecret (ne .role "client") }}
- name: token-key
  secret: { secretName: {{ $auth.tokenKeySecret }}, defaultMode: 0440 }
{{- end }}
{{- if and $auth.workerTokenSecret (eq .role "worker") }}
- name: token
  secret: { secretName: {{ $auth.workerTokenSecret }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{- define "limbeck.secretMounts" -}}
{{- if include "limbeck.hasTls" .root }}
- { name: tls, mountPath: /tls, readOnly: true }
{{- end }}
{{- if include "limbeck.hasNatsCreds" .root }}
- { name: nats-creds, mountPath: /nats, readOnly: true }
{{- end }}
{{- if include "limbeck.hasNatsCa" .root }}
- { name: nats-ca, mountPath: /nats-ca, readOnly: true }
{{- end }}
{{- $auth := .root.Values.auth }}
{{- if and $auth.httpTokenSecret (ne .role "client") }}
- { name: http-token, mountPath: /http-token, readOnly: true }
{{- end }}
{{- if and $auth.tokenKeySecret (ne .role "client") }}
- { name: token-key, mountPath: /token-key, readOnly: true }
{{- end }}
{{- if and $auth.workerTokenSecret (eq .role "worker") }}
- { name: token, mountPath: /token, readOnly: true }
{{- end }}
{{- end -}}

{{/* Of a pod: what is not of its kind. (dict "root" $ "component" … "account" … "values" .Values.x) */}}
{{- define "limbeck.podCommon" -}}
serviceAccountName: {{ include "limbeck.serviceAccount" (dict "root" .root "component" .account) }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
terminationGracePeriodSeconds: {{ add .values.preStopSeconds .values.drainSeconds 5 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .values.affinity }}
affinity: {{- toYaml .values.affinity | nindent 2 }}
{{- else if eq .component "coordinator" }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- include "limbeck.componentSelector" . | nindent 14 }}
{{- end }}
{{- if .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range .values.topologySpreadConstraints }}
  - labelSelector:
      matchLabels: {{- include "limbeck.componentSelector" $ | nindent 8 }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "limbeck.podMetadata" -}}
labels:
  {{- include "limbeck.labels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "limbeck.preStop" -}}
{{- if gt (int .preStopSeconds) 0 }}
lifecycle:
  preStop:
    sleep: { seconds: {{ .preStopSeconds }} }
{{- end }}
{{- end -}}
