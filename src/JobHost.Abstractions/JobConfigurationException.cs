namespace JobHost;

/// <summary>A job or an option is set up in a way that cannot work. The message says what to change; the start is refused.</summary>
public sealed class JobConfigurationException : Exception
{
    /// <summary>Without words; rarely of use.</summary>
    public JobConfigurationException() { }

    /// <param name="message">What is wrong, where, and what to change.</param>
    public JobConfigurationException(string message)
        : base(message) { }

    /// <param name="message">What is wrong, where, and what to change.</param>
    /// <param name="innerException">What was thrown underneath.</param>
    public JobConfigurationException(string message, Exception innerException)
        : base(message, innerException) { }
}
