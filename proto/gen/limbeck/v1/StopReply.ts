// Original file: limbeck.proto


export interface StopReply {
}

export interface StopReply__Output {
}
