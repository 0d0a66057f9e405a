// Original file: limbeck.proto


export interface ListRequest {
}

export interface ListRequest__Output {
}
