// Original file: limbeck.proto


export interface ControlRequest {
  'job'?: (string);
  'action'?: (string);
  'why'?: (string);
}

export interface ControlRequest__Output {
  'job': (string);
  'action': (string);
  'why': (string);
}
