// Original file: limbeck.proto


export interface WatchRequest {
}

export interface WatchRequest__Output {
}
