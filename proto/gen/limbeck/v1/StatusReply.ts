// Original file: limbeck.proto


export interface StatusReply {
  'status'?: (string);
}

export interface StatusReply__Output {
  'status': (string);
}
