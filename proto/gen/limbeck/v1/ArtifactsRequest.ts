// Original file: limbeck.proto


export interface ArtifactsRequest {
  'job'?: (string);
}

export interface ArtifactsRequest__Output {
  'job': (string);
}
