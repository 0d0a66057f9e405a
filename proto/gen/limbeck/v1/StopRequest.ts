// Original file: limbeck.proto


export interface StopRequest {
  'why'?: (string);
  'job'?: (string);
}

export interface StopRequest__Output {
  'why': (string);
  'job': (string);
}
