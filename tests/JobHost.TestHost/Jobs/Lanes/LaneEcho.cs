namespace JobHost.TestHost.Jobs.Lanes;

/// <summary>Jobs that tell where they are.</summary>
internal static class LaneEcho
{
    internal static async Task<object?> TaskAsync(
        JobContext context,
        CancellationToken cancellationToken,
        string text = ""
    )
    {
        await Task.Delay(1, cancellationToken);
        return Say(context, text);
    }

    internal static object? Thread(JobContext context, string text = "") => Say(context, text);

    internal static object? Throws(string text = "") => throw new InvalidOperationException(text);

    private static object Say(JobContext context, string text)
    {
        context.Logger.Said($"said {text}");
        context.Report(50, text);
        Console.WriteLine($"printed {text}");
        return new
        {
            text,
            context.Attempt,
            context.WorkingDirectory,
            lane = Environment.GetEnvironmentVariable("JOBHOST_LANE"),
        };
    }
}
