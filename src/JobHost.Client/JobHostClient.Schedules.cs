using System.Runtime.CompilerServices;
using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>A page of schedules, by their ids.</summary>
    /// <param name="job">Of this job; null: of all.</param>
    /// <param name="pageSize">1 to 500; null: 50.</param>
    /// <param name="pageToken">Of the page before; null: the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Page<Schedule>> ListSchedulesAsync(
        string? job = null,
        int? pageSize = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    ) =>
        GetAsync(
            new QueryText("schedules").Add("job", job).Add("pageSize", pageSize).Add("pageToken", pageToken).ToString(),
            ClientJson.Default.PageSchedule,
            cancellationToken
        );

    /// <summary>All schedules, page by page as they are taken.</summary>
    public async IAsyncEnumerable<Schedule> EnumerateSchedulesAsync(
        string? job = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        string? token = null;
        do
        {
            var page = await ListSchedulesAsync(job, pageSize: 500, token, cancellationToken);
            foreach (var schedule in page.Items)
            {
                yield return schedule;
            }
            token = page.NextPageToken;
        } while (token is not null);
    }

    /// <summary>A schedule.</summary>
    public Task<Schedule> GetScheduleAsync(string id, CancellationToken cancellationToken = default) =>
        GetAsync(SchedulePath(id), ClientJson.Default.Schedule, cancellationToken);

    /// <summary>Makes a schedule, or replaces what it is to do.</summary>
    public Task<Schedule> PutScheduleAsync(
        string id,
        PutSchedule schedule,
        CancellationToken cancellationToken = default
    ) =>
        SendAsync(
            () =>
            {
                var request = Request(SchedulePath(id), schedule, ClientJson.Default.PutSchedule);
                request.Method = HttpMethod.Put;
                return request;
            },
            ClientJson.Default.Schedule,
            Repeat.Safe,
            cancellationToken
        );

    /// <summary>Removes a schedule. Its runs are left alone.</summary>
    public async Task DeleteScheduleAsync(string id, CancellationToken cancellationToken = default)
    {
        using var _ = await sender.SendAsync(
            () => Request(HttpMethod.Delete, SchedulePath(id)),
            Repeat.Unsafe,
            isAnswer: null,
            cancellationToken
        );
    }

    /// <summary>Starts nothing from a schedule until it is resumed.</summary>
    public Task<Schedule> PauseScheduleAsync(
        string id,
        string? reason = null,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{SchedulePath(id)}/pause",
            new ReasonBody(reason),
            ClientJson.Default.ReasonBody,
            ClientJson.Default.Schedule,
            cancellationToken
        );

    /// <summary>Goes on with what is due from now on.</summary>
    public Task<Schedule> ResumeScheduleAsync(string id, CancellationToken cancellationToken = default) =>
        PostAsync($"{SchedulePath(id)}/resume", ClientJson.Default.Schedule, cancellationToken);

    /// <summary>Starts a run of a schedule now, though it is paused or an earlier run has not ended.</summary>
    /// <param name="id">Which.</param>
    /// <param name="idempotencyKey">Triggers under the same key are one. Null: a key of this call's own.</param>
    /// <param name="wait">How long to wait for the run's end; null: not at all.</param>
    /// <param name="cancellationToken">Gives up; the run may have been started.</param>
    public Task<Run> TriggerScheduleAsync(
        string id,
        string? idempotencyKey = null,
        TimeSpan? wait = null,
        CancellationToken cancellationToken = default
    )
    {
        var key = idempotencyKey ?? Guid.NewGuid().ToString("D");
        return SendAsync(
            () =>
            {
                var request = Waiting(Request(HttpMethod.Post, $"{SchedulePath(id)}/trigger"), wait);
                request.Headers.Add("Idempotency-Key", key);
                return request;
            },
            ClientJson.Default.Run,
            Repeat.Safe,
            cancellationToken
        );
    }

    /// <summary>When a schedule is due next, also while it is paused.</summary>
    /// <param name="id">Which.</param>
    /// <param name="count">1 to 100; null: 10.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyList<ScheduleInstant>> GetNextInstantsAsync(
        string id,
        int? count = null,
        CancellationToken cancellationToken = default
    ) =>
        (
            await GetAsync(
                new QueryText($"{SchedulePath(id)}/next").Add("count", count).ToString(),
                ClientJson.Default.PageScheduleInstant,
                cancellationToken
            )
        ).Items;

    private static string SchedulePath(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return $"schedules/{Uri.EscapeDataString(id)}";
    }
}
