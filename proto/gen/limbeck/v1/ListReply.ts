// Original file: limbeck.proto


export interface ListReply {
  'jobs'?: (string);
}

export interface ListReply__Output {
  'jobs': (string);
}
