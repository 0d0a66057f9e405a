// Original file: limbeck.proto


export interface PhaseSeconds {
  'data'?: (number | string);
  'softTargets'?: (number | string);
  'compute'?: (number | string);
  'exchange'?: (number | string);
  'apply'?: (number | string);
}

export interface PhaseSeconds__Output {
  'data': (number);
  'softTargets': (number);
  'compute': (number);
  'exchange': (number);
  'apply': (number);
}
