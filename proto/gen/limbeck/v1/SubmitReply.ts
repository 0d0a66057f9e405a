// Original file: limbeck.proto


export interface SubmitReply {
  'job'?: (string);
  'created'?: (boolean);
  'state'?: (string);
  'why'?: (string);
}

export interface SubmitReply__Output {
  'job': (string);
  'created': (boolean);
  'state': (string);
  'why': (string);
}
