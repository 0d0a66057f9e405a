// Original file: limbeck.proto


export interface StopRequest {
  'why'?: (string);
}

export interface StopRequest__Output {
  'why': (string);
}
