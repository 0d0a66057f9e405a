// Original file: limbeck.proto

import type { Member as _limbeck_v1_Member, Member__Output as _limbeck_v1_Member__Output } from '../../limbeck/v1/Member.ts';
import type { DatasetInfo as _limbeck_v1_DatasetInfo, DatasetInfo__Output as _limbeck_v1_DatasetInfo__Output } from '../../limbeck/v1/DatasetInfo.ts';
import type { Long } from '@grpc/proto-loader';

export interface Assign {
  'stage'?: (string);
  'steps'?: (number | string | Long);
  'students'?: (_limbeck_v1_Member)[];
  'teachers'?: (_limbeck_v1_Member)[];
  'teacherSha256'?: (string);
  'why'?: (string);
  'planned'?: (boolean);
  'teacherSources'?: (_limbeck_v1_Member)[];
  'restore'?: (boolean);
  'restoreBelow'?: (number | string | Long);
  'dataset'?: (_limbeck_v1_DatasetInfo | null);
}

export interface Assign__Output {
  'stage': (string);
  'steps': (number);
  'students': (_limbeck_v1_Member__Output)[];
  'teachers': (_limbeck_v1_Member__Output)[];
  'teacherSha256': (string);
  'why': (string);
  'planned': (boolean);
  'teacherSources': (_limbeck_v1_Member__Output)[];
  'restore': (boolean);
  'restoreBelow': (number);
  'dataset': (_limbeck_v1_DatasetInfo__Output | null);
}
