// Original file: limbeck.proto

import type { Member as _limbeck_v1_Member, Member__Output as _limbeck_v1_Member__Output } from '../../limbeck/v1/Member.ts';

export interface Staff {
  'teachers'?: (_limbeck_v1_Member)[];
  'why'?: (string);
}

export interface Staff__Output {
  'teachers': (_limbeck_v1_Member__Output)[];
  'why': (string);
}
