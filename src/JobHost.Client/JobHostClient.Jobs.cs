using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>All jobs that can run.</summary>
    public async Task<IReadOnlyList<Job>> ListJobsAsync(CancellationToken cancellationToken = default) =>
        (await GetAsync("jobs", ClientJson.Default.PageJob, cancellationToken)).Items;

    /// <summary>A job.</summary>
    public async Task<Job> GetJobAsync(string job, CancellationToken cancellationToken = default)
    {
        var (document, tag) = await GetTaggedAsync(JobPath(job), ClientJson.Default.Job, cancellationToken);
        return document with { ETag = tag };
    }

    /// <summary>Starts a run. When this returns, it is on the server's disk.</summary>
    /// <param name="job">The job.</param>
    /// <param name="start">How; null: as the job says.</param>
    /// <param name="idempotencyKey">Starts under the same key are one start. Null: a key of this call's own, so that its repetitions are one.</param>
    /// <param name="wait">How long to wait for the end; the run may have ended then. At most 300 s, and less than the HTTP client's timeout.</param>
    /// <param name="cancellationToken">Gives up; the run may have been started.</param>
    public Task<Run> StartAsync(
        string job,
        StartRun? start = null,
        string? idempotencyKey = null,
        TimeSpan? wait = null,
        CancellationToken cancellationToken = default
    )
    {
        var path = $"{JobPath(job)}/runs";
        var key = idempotencyKey ?? Guid.NewGuid().ToString("D");
        return SendAsync(
            () =>
            {
                var request = Waiting(Request(path, start ?? new(), ClientJson.Default.StartRun), wait);
                request.Headers.Add("Idempotency-Key", key);
                return request;
            },
            ClientJson.Default.Run,
            Repeat.Safe,
            cancellationToken
        );
    }

    /// <summary>Begins no runs of a job until it is resumed.</summary>
    public Task<Job> PauseJobAsync(string job, string? reason = null, CancellationToken cancellationToken = default) =>
        PostAsync(
            $"{JobPath(job)}/pause",
            new ReasonBody(reason),
            ClientJson.Default.ReasonBody,
            ClientJson.Default.Job,
            cancellationToken
        );

    /// <summary>Begins runs of a job again.</summary>
    public Task<Job> ResumeJobAsync(string job, CancellationToken cancellationToken = default) =>
        PostAsync($"{JobPath(job)}/resume", ClientJson.Default.Job, cancellationToken);

    private static string JobPath(string job)
    {
        ArgumentException.ThrowIfNullOrEmpty(job);
        return $"jobs/{Segment(job)}";
    }
}
