{{- define "seealso.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "seealso.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "seealso.labels" -}}
{{ include "seealso.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "seealso.claim" -}}
{{ .Values.bundles.existingClaim | default (printf "%s-bundles" (include "seealso.name" .)) }}
{{- end }}

{{- /* who a pod is: nobody, without a token for the API of Kubernetes */ -}}
{{- define "seealso.pod" -}}
automountServiceAccountToken: false
# a service called seealso would set variables that begin like settings
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* where it runs */ -}}
{{- define "seealso.placed" -}}
{{- pick . "nodeSelector" "tolerations" "affinity" | toYaml }}
{{- end }}

{{- /* what each container has: the image, settings, secrets, and nothing that can be written */ -}}
{{- define "seealso.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  - name: SEEALSO_CLUSTER__URL
    value: {{ required "cluster.url: set the address of OpenSearch" .Values.cluster.url | quote }}
  {{- with .Values.cluster.username }}
  - name: SEEALSO_CLUSTER__USERNAME
    value: {{ . | quote }}
  {{- end }}
  {{- if .Values.cluster.ca.secret }}
  - name: SEEALSO_CLUSTER__CA_FILE
    value: /etc/seealso-ca/{{ .Values.cluster.ca.key }}
  {{- end }}
  # hashes
  - name: SEEALSO_SERVICE__KEYS
    value: {{ .Values.keys | toJson | quote }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.secret }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end }}

{{- /* the argument says whether the bundles may only be read */ -}}
{{- define "seealso.mounts" -}}
- name: settings
  mountPath: /etc/seealso
  readOnly: true
- name: bundles
  mountPath: /var/lib/seealso
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
- name: scratch
  mountPath: /tmp
{{- if .Values.data.volume }}
- name: data
  mountPath: /data
  readOnly: true
{{- end }}
{{- if .Values.cluster.ca.secret }}
- name: ca
  mountPath: /etc/seealso-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "seealso.volumes" -}}
- name: settings
  configMap:
    name: {{ include "seealso.name" . }}
- name: bundles
  persistentVolumeClaim:
    claimName: {{ include "seealso.claim" . }}
- name: scratch
  emptyDir: {}
{{- with .Values.data.volume }}
- name: data
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.cluster.ca.secret }}
- name: ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
