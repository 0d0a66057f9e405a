// Original file: limbeck.proto

import type { SourceFile as _limbeck_v1_SourceFile, SourceFile__Output as _limbeck_v1_SourceFile__Output } from '../../limbeck/v1/SourceFile.ts';

export interface SubmitRequest {
  'job'?: (string);
  'name'?: (string);
  'priority'?: (number);
  'sources'?: (_limbeck_v1_SourceFile)[];
  'by'?: (string);
  'request'?: (string);
}

export interface SubmitRequest__Output {
  'job': (string);
  'name': (string);
  'priority': (number);
  'sources': (_limbeck_v1_SourceFile__Output)[];
  'by': (string);
  'request': (string);
}
