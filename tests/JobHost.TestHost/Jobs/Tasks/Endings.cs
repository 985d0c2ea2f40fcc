namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Jobs that do nothing but fail.</summary>
internal static class Endings
{
    /// <summary>The ordinary failure: the message must reach whoever looks at the run.</summary>
    internal static async Task ThrowsAsync(ThrowsParameters parameters)
    {
        await Task.Yield();
        throw new InvalidOperationException(parameters.Message);
    }

    /// <summary>Cancels itself though nobody asked: that is a failure, not a cancelled run.</summary>
    internal static async Task ThrowsCancellationAsync()
    {
        await Task.Yield();
        throw new OperationCanceledException("Nobody asked for this.");
    }
}

/// <param name="Message">What the exception says.</param>
internal sealed record ThrowsParameters(string Message = "Thrown on purpose.");
