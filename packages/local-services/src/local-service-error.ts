/** A server could not be found, fetched or run; the message is written for the person who starts PuffTrack. */
export class LocalServiceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalServiceError';
  }
}

/** A live server has the data directory; its database runs. */
export class DataDirInUseError extends LocalServiceError {}
