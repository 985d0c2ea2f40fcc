namespace JobHost.TestHost.Jobs.Threads;

/// <summary>A tight loop that catches everything and goes on. An abort is raised anew at the end of each catch.</summary>
internal sealed class ThreadBusySwallowingJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver)
        {
            try
            {
                while (!bound.IsOver)
                {
                    marker.Beat();
                    Computing.Briefly();
                }
            }
            catch (Exception)
            {
                // The misbehaviour.
            }
        }
        return null;
    }
}
