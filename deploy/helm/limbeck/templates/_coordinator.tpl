{{/* A coordinator's pod, as a service or for one job. (root) */}}
{{- define "limbeck.coordinatorPod" -}}
{{- $values := .Values.coordinator -}}
{{- $isService := eq .Values.mode "service" -}}
{{- $context := dict "root" . "component" "coordinator" "account" "coordinator" "role" "coordinator" "values" $values -}}
metadata:
  {{- include "limbeck.podMetadata" $context | nindent 2 }}
spec:
  {{- include "limbeck.podCommon" $context | nindent 2 }}
  {{- if not $isService }}
  restartPolicy: Never
  {{- end }}
  containers:
    - name: coordinator
      image: {{ include "limbeck.image" (dict "root" . "gpu" false) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - coordinator
        {{- if not $isService }}
        - /job/job.yaml
        {{- end }}
        - --state=/state
        - --listen=0.0.0.0:7070
        - --http=0.0.0.0:7071
        {{- if not $isService }}
        - --leave-code=143
        - --failed-code=3
        {{- else }}
        - --name=$(POD_NAME)
        - --advertise=$(POD_IP):7070
        {{- if $values.allowModules }}
        - --allow-modules
        {{- end }}
        {{- end }}
        {{- with include "limbeck.depot" . }}
        - --depot={{ . }}
        {{- end }}
        {{- with include "limbeck.tlsArgs" . | trim }}{{ . | nindent 8 }}{{ end }}
        - --health=0.0.0.0:7072
        {{- if .Values.auth.tokenKeySecret }}
        - --token-key=/token-key/key.pem
        - --revoked-tokens=/token-key/revoked
        {{- end }}
        {{- if .Values.auth.httpTokenSecret }}
        - --http-token-file=/http-token/token
        {{- end }}
        - --output=json
      env:
        {{- include "limbeck.podEnv" . | nindent 8 }}
        {{- if $isService }}
        {{- with include "limbeck.natsEnv" (dict "root" . "user" "coordinator") | trim }}{{ . | nindent 8 }}{{ end }}
        {{- end }}
        {{- with include "limbeck.depotEnv" . | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with include "limbeck.s3Env" . | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - { name: grpc, containerPort: 7070 }
        - { name: http, containerPort: 7071 }
        - { name: health, containerPort: 7072 }
      # A kubelet has no certificate: health is served in plain, on a port of its own.
      startupProbe:
        grpc: { port: 7072 }
        periodSeconds: 3
        failureThreshold: {{ div (add $values.startupSeconds 2) 3 }}
      livenessProbe:
        grpc: { port: 7072 }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        # Can decide, or can follow who does.
        httpGet: { port: http, path: /readyz }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      {{- with include "limbeck.preStop" $values | trim }}{{ . | nindent 6 }}{{ end }}
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext: {{- include "limbeck.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - { name: state, mountPath: /state }
        - { name: tmp, mountPath: /tmp }
        {{- if not $isService }}
        - { name: job, mountPath: /job, readOnly: true }
        {{- end }}
        {{- with include "limbeck.secretMounts" $context | trim }}{{ . | nindent 8 }}{{ end }}
  volumes:
    {{- if include "limbeck.sharesState" . }}
    - name: state
      persistentVolumeClaim: { claimName: {{ include "limbeck.stateClaim" . }} }
    {{- else }}
    # What must survive lies in NATS and in the depot.
    - name: state
      emptyDir: { sizeLimit: {{ $values.scratchSize }} }
    {{- end }}
    - name: tmp
      emptyDir: { sizeLimit: 1Gi }
    {{- if not $isService }}
    - name: job
      configMap: { name: {{ include "limbeck.jobConfigMap" . }} }
    {{- end }}
    {{- with include "limbeck.secretVolumes" $context | trim }}{{ . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "limbeck.jobConfigMap" -}}
{{ default (printf "%s-job" (include "limbeck.fullname" .)) .Values.job.existingConfigMap }}
{{- end -}}
