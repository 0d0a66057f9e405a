// Original file: limbeck.proto


export interface WatchEvent {
  'event'?: (string);
}

export interface WatchEvent__Output {
  'event': (string);
}
