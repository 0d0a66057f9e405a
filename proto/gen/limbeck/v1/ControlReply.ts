// Original file: limbeck.proto


export interface ControlReply {
  'state'?: (string);
  'why'?: (string);
}

export interface ControlReply__Output {
  'state': (string);
  'why': (string);
}
