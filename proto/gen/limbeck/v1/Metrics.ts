// Original file: limbeck.proto


export interface Metrics {
  'examples'?: (number | string);
  'loss'?: (number | string);
  'hardLoss'?: (number | string);
  'softLoss'?: (number | string);
  'correct'?: (number | string);
  'agree'?: (number | string);
}

export interface Metrics__Output {
  'examples': (number);
  'loss': (number);
  'hardLoss': (number);
  'softLoss': (number);
  'correct': (number);
  'agree': (number);
}
