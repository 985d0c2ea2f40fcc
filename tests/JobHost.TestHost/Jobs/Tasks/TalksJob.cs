namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Logs a line now and then until it is told to stop: for those who follow a log.</summary>
internal sealed class TalksJob : IJob<LifeParameters>
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public async Task<object?> RunAsync(
        LifeParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var bound = new Bound(parameters.Seconds);
        for (var line = 1; !bound.IsOver; line++)
        {
            context.Logger.Said($"line {line}");
            await Task.Delay(Pause, cancellationToken);
        }
        return null;
    }
}
