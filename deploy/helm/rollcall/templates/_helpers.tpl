{{- define "rollcall.name" -}}
{{- .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-rollcall" .Release.Name) (contains "rollcall" .Release.Name)) | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "rollcall.selector" -}}
app.kubernetes.io/name: rollcall
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: worker
{{- end -}}

{{- define "rollcall.labels" -}}
app.kubernetes.io/name: rollcall
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: rollcall
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "rollcall.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest }}{{ $i.repository }}@{{ $i.digest }}{{ else }}{{ $i.repository }}:{{ $i.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "rollcall.configMap" -}}
{{- .Values.existingConfigMap | default (include "rollcall.name" .) -}}
{{- end -}}

{{- define "rollcall.secret" -}}
{{- .Values.existingSecret | default (include "rollcall.name" .) -}}
{{- end -}}

{{/* Whether there is a Secret at all. */}}
{{- define "rollcall.hasSecret" -}}
{{- if or .Values.existingSecret .Values.secrets }}yes{{ end -}}
{{- end -}}

{{/* rollcall.yaml, with what the pod decides. */}}
{{- define "rollcall.config" -}}
{{- $pod := dict "data_dir" "/var/lib/rollcall" "http" (dict "listen" "0.0.0.0:8080") -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $pod) -}}
{{- end -}}

{{- define "rollcall.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "rollcall.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
