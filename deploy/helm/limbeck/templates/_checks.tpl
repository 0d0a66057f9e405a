{{/* What the schema cannot say: values that exclude each other. */}}
{{- define "limbeck.checks" -}}
{{- $isService := eq .Values.mode "service" -}}
{{- $hasNats := include "limbeck.hasNats" . -}}
{{- with .Values -}}
{{- if and $isService (gt (int .coordinator.replicas) 1) (not $hasNats) -}}
{{- fail "coordinator.replicas is more than 1: the lease needs NATS. Set nats.enabled or nats.external.urls, or coordinator.replicas=1" -}}
{{- end -}}
{{- if and $isService (not $hasNats) (ne .storage.kind "volume") -}}
{{- fail "without NATS the coordinator's journal lies in a folder: set storage.kind=volume" -}}
{{- end -}}
{{- if and (eq .storage.kind "nats") (not .nats.enabled) (empty .nats.external.urls) -}}
{{- fail "storage.kind=nats needs nats.enabled or nats.external.urls: a depot's URL has no credentials, nats.external.credsSecret has" -}}
{{- end -}}
{{- if and (eq .storage.kind "nats") .nats.enabled (lt (include "limbeck.depotMegabytes" $ | int) 1) -}}
{{- fail (printf "nats.size=%s has no room for checkpoints and models: nine tenths of it must be more than nats.journalSize=%s" .nats.size .nats.journalSize) -}}
{{- end -}}
{{- if and .nats.enabled (lt (include "limbeck.megabytes" .nats.journalSize | int) 512) -}}
{{- fail (printf "nats.journalSize=%s is too little: events alone may take 256Mi, so set 512Mi or more" .nats.journalSize) -}}
{{- end -}}
{{- if and (eq .storage.kind "s3") (empty .storage.s3.bucket) -}}
{{- fail "storage.kind=s3 needs storage.s3.bucket" -}}
{{- end -}}
{{- /* Not a safe default: a release that was installed before would look for its journal under another name. */ -}}
{{- $hasDepot := eq .storage.kind "nats" -}}
{{- $sharesNats := and $hasNats (not .nats.enabled) (or $isService $hasDepot) -}}
{{- $sharesBucket := and (eq .storage.kind "s3") (empty .storage.s3.prefix) -}}
{{- if and (empty .cluster) (or $sharesNats $sharesBucket) -}}
{{- $kept := ternary "journals" "object store" $isService -}}
{{- $place := ternary (printf "the same %s in nats.external" $kept) "the same folder of storage.s3.bucket" $sharesNats -}}
{{- $name := include "limbeck.cluster" $ -}}
{{- fail (printf "cluster is empty, and the release's name is not enough: a release %s in another namespace would write %s. Set cluster to a name that none else has there, such as %s-%s; a release that ran without it goes on by cluster=%s" $.Release.Name $place $.Release.Namespace $name $name) -}}
{{- end -}}
{{- if and (not $isService) (empty .job.file) (empty .job.existingConfigMap) -}}
{{- fail "mode=job needs job.file or job.existingConfigMap" -}}
{{- end -}}
{{- if and (not $isService) (eq .students.kind "deployment") -}}
{{- fail "mode=job ends, and a Deployment does not: set students.kind to auto, jobset or job" -}}
{{- end -}}
{{- if and (eq .tls.mode "existing") (not (and .tls.existing.coordinator .tls.existing.worker)) -}}
{{- fail "tls.mode=existing needs tls.existing.coordinator and tls.existing.worker" -}}
{{- end -}}
{{- if and (eq .tls.mode "existing") .tests.enabled $isService (not .tls.existing.client) -}}
{{- fail "tls.mode=existing: helm test needs tls.existing.client, or tests.enabled=false" -}}
{{- end -}}
{{- if and (eq (toString .monitoring.podMonitor.enabled) "true") .monitoring.serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor and monitoring.serviceMonitor would scrape the coordinators twice: enable one" -}}
{{- end -}}
{{- if and .auth.workerTokenSecret (not .auth.tokenKeySecret) -}}
{{- fail "auth.workerTokenSecret has a token that nobody can check: set auth.tokenKeySecret" -}}
{{- end -}}
{{- if and (not $isService) (ne .teachers.autoscaling.kind "none") -}}
{{- fail "teachers.autoscaling scales a Deployment, and in mode=job teachers are a part of the job" -}}
{{- end -}}
{{- end -}}
{{- /* Else Helm would say no more than: no matches for kind "Certificate". `helm template` has no API server, and does not know one's own groups. */ -}}
{{- if and (eq .Values.tls.mode "certManager") (.Capabilities.APIVersions.Has "apiregistration.k8s.io/v1") (not (.Capabilities.APIVersions.Has "cert-manager.io/v1")) -}}
{{- fail "tls.mode=certManager, and this cluster has no cert-manager: install it, or make certificates with `limbeck certs` (tls.mode=existing), or say aloud that the network is trusted (tls.mode=none)" -}}
{{- end -}}
{{- end -}}
