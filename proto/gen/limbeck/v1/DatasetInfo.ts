// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface DatasetInfo {
  'trainExamples'?: (number | string | Long);
  'evaluationExamples'?: (number | string | Long);
  'classes'?: (number);
  'shape'?: (number)[];
  'digest'?: (string);
  'classNames'?: (string)[];
}

export interface DatasetInfo__Output {
  'trainExamples': (number);
  'evaluationExamples': (number);
  'classes': (number);
  'shape': (number)[];
  'digest': (string);
  'classNames': (string)[];
}
