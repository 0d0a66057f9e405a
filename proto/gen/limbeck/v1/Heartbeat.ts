// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Heartbeat {
  'doing'?: (string);
  'waitingFor'?: (string);
  'step'?: (number | string | Long);
  'residentBytes'?: (number | string | Long);
  'servedExamples'?: (number | string | Long);
  'servingSeconds'?: (number | string);
  'needsTeacher'?: (boolean);
  'serverAway'?: (boolean);
  'queuedExamples'?: (number | string | Long);
}

export interface Heartbeat__Output {
  'doing': (string);
  'waitingFor': (string);
  'step': (number);
  'residentBytes': (number);
  'servedExamples': (number);
  'servingSeconds': (number);
  'needsTeacher': (boolean);
  'serverAway': (boolean);
  'queuedExamples': (number);
}
