namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Returns, but leaves a foreground thread that would keep the process alive: the run is over when its process is.
/// </summary>
internal sealed class ProcessForegroundThreadJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        new Thread(() => Spin(parameters)) { Name = "left-behind", IsBackground = false }.Start();
        return null;
    }

    private static void Spin(LifeParameters parameters)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver)
        {
            marker.Beat();
        }
    }
}
